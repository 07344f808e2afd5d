/** Lets nobody assign these fields any more: what is said of a team or a grant holds for whoever reads it later. */
export function fixFields<Thing extends object>(thing: Thing, fields: readonly (keyof Thing)[]): void {
  for (const field of fields) {
    Object.defineProperty(thing, field, { value: thing[field], writable: false, configurable: false });
  }
}
