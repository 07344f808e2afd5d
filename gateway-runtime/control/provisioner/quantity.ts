/** Quantities as the API server writes them, so that what is wanted can be told from what is there. */

const UNITS = { binary: ['', 'Ki', 'Mi', 'Gi', 'Ti'], decimal: ['', 'k', 'M', 'G', 'T'] };

/** Cores: `2` of 2000m, `500m` of 0.5. For what passed the field rule of GatewayParameters. */
export function cpuQuantity(amount: number | string): string {
  const text = `${amount}`;
  const millis = text.endsWith('m') ? Number(text.slice(0, -1)) : Math.round(Number(text) * 1000);
  return millis % 1000 === 0 ? `${millis / 1000}` : `${millis}m`;
}

/** Bytes: `1Gi` of 1024Mi. For what passed the field rule of GatewayParameters. */
export function memoryQuantity(amount: number | string): string {
  const [, digits = '0', unit = ''] = /^([0-9]+)(.*)$/.exec(`${amount}`) ?? [];
  const [units, base] = unit.endsWith('i') ? [UNITS.binary, 1024n] : [UNITS.decimal, 1000n];
  let count = BigInt(digits);
  let index = units.indexOf(unit);
  while (count > 0n && count % base === 0n && index < units.length - 1) {
    count /= base;
    index++;
  }
  return count === 0n ? '0' : `${count}${units[index]}`;
}
