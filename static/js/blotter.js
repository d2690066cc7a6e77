// The blotter: a changed order has its row read again, under the filter the page was opened with.

import { adopt, coalesced, readAgain, readRow } from "./fragments.js";

const READ_ALL_ABOVE = 12;

export function attach(element, live, channel) {
  const table = document.getElementById(element.dataset.rows);
  const isFirstPage = !new URLSearchParams(location.search).has("before");
  const changed = new Map();

  function rowOf(id) {
    return table.querySelector(`tr[data-order="${CSS.escape(id)}"]`);
  }

  function put(id, fresh) {
    const old = rowOf(id);
    if (!fresh) {
      old?.remove();
    } else if (old) {
      fresh.classList.toggle("arrived", fresh.dataset.state !== old.dataset.state);
      old.replaceWith(fresh);
      adopt(fresh);
    } else if (isFirstPage) {
      fresh.classList.add("arrived");
      const body = table.querySelector("tbody");
      body ? body.prepend(fresh) : readAll();
      adopt(fresh);
    }
  }

  const readAll = coalesced(() => readAgain(table), 150);
  const readChanged = coalesced(async () => {
    const wanted = [...changed.keys()];
    changed.clear();
    if (wanted.length > READ_ALL_ABOVE) {
      readAll();
      return;
    }
    try {
      for (const id of wanted) put(id, await readRow(`/orders/${id}/row/${location.search}`));
    } catch {
      readAll();
    }
  }, 60);

  live.subscribe(channel, {
    data: ({ order_id: id, version }) => {
      const shown = rowOf(id);
      if (shown && Number(shown.dataset.version) >= version) return;
      if (!shown && !isFirstPage) return;
      changed.set(id, version);
      readChanged();
    },
    reread: readAll,
  });
}
