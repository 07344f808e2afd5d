/** A line that is a JSON object. */

export function jsonOf(
  line: string,
): { readonly fields: Record<string, unknown> } | { readonly problem: string } {
  // Most lines of other formats, without the cost of an error.
  if (line.charCodeAt(0) !== 123) return NO_JSON;
  let fields: unknown;
  try {
    fields = JSON.parse(line);
  } catch {
    return NO_JSON;
  }
  return { fields: fields as Record<string, unknown> };
}

const NO_JSON = { problem: 'it is no JSON object' };

export const isPort = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= 65_535;

/** The field where it is a text that is not empty, for spreading. */
export function textOf<Name extends string>(name: Name, value: unknown): { [Key in Name]?: string } {
  return typeof value === 'string' && value !== '' ? ({ [name]: value } as { [Key in Name]: string }) : {};
}
