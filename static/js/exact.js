// Decimal text without floats: whole units of the last place, as BigInt.

export function toUnits(text, places) {
  const [whole, fraction = ""] = text.split(".");
  return BigInt(whole + fraction.padEnd(places, "0").slice(0, places));
}

export function fromUnits(units, places) {
  const sign = units < 0n ? "-" : "";
  const digits = (units < 0n ? -units : units).toString().padStart(places + 1, "0");
  return places ? `${sign}${digits.slice(0, -places)}.${digits.slice(-places)}` : sign + digits;
}

export function placesOf(text) {
  return (text.split(".")[1] ?? "").length;
}

// Thousands apart by a narrow space. Digits beyond the given places are kept: never rounded.
export function grouped(text, places = 0) {
  const [whole, fraction = ""] = text.split(".");
  const padded = fraction.padEnd(places, "0");
  return whole.replace(/\B(?=(\d{3})+$)/g, "\u202f") + (padded ? `.${padded}` : "");
}
