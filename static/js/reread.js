// Parts that are simply read again: when something changed, and now and then all the same.

import { coalesced, readAgain, rememberServed } from "./fragments.js";

export function attach(element, live, channel) {
  const wait = Number(element.dataset.wait || 250);
  const every = Number(element.dataset.every || 0) * 1000;
  const { order, request, difference } = element.dataset;
  rememberServed(element);
  const again = coalesced(() => readAgain(element), wait);
  for (const name of channel.split(" ")) {
    live.subscribe(name, {
      data: (payload) => {
        const isOurs =
          (!order || payload.order_id === order) &&
          (!request || payload.request_id === request) &&
          (!difference || payload.break_id === difference);
        if (isOurs) again();
      },
      reread: again,
    });
  }
  if (every) setInterval(again, every);
}
