/** Values made from a CRD's schema, so that every field it has turns up, whether a case uses it or not. */

export interface OpenApiSchema {
  readonly type?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly minItems?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, OpenApiSchema>>;
  readonly items?: OpenApiSchema;
  readonly additionalProperties?: OpenApiSchema | boolean;
  readonly anyOf?: readonly OpenApiSchema[];
}

const TEXTS = [
  'a',
  'example.com',
  '/a',
  '10s',
  'example.com/a',
  'https://example.com',
  '10.0.0.1',
  'HTTP',
  '1',
];

function text({ pattern, minLength = 0 }: OpenApiSchema): string {
  const fits = TEXTS.find((each) => each.length >= minLength && (!pattern || new RegExp(pattern).test(each)));
  return fits ?? TEXTS[0]!;
}

/** The least that fits the schema, as far as its structure goes. */
function least(schema: OpenApiSchema): unknown {
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  switch (schema.type ?? schema.anyOf?.[0]?.type) {
    case 'object': {
      const { properties = {}, required = [] } = schema;
      return Object.fromEntries(required.map((name) => [name, least(properties[name]!)]));
    }
    case 'array':
      return Array.from({ length: schema.minItems ?? 1 }, () => least(schema.items!));
    case 'integer':
    case 'number':
      return schema.minimum ?? 1;
    case 'boolean':
      return true;
    default:
      return text(schema);
  }
}

/** The field that a value of `type` stands for, as `requestMirror` does for RequestMirror. */
const fieldOfType = (names: readonly string[], type: unknown) =>
  names.find((name) => name.toLowerCase() === String(type).toLowerCase());

/** Values of a schema that differ in which fields they have. */
function variants(schema: OpenApiSchema): unknown[] {
  const { properties = {}, enum: allowed } = schema;
  if (allowed) return [...allowed];
  const names = Object.keys(properties);
  if (schema.type !== 'object' || names.length === 0) return [least(schema)];
  const base = least(schema) as Record<string, unknown>;
  const withField = names.map((name) => ({ ...base, [name]: least(properties[name]!) }));
  const ofEachType = (properties.type?.enum ?? []).map((type) => {
    const field = fieldOfType(names, type);
    return { ...base, type, ...(field ? { [field]: least(properties[field]!) } : {}) };
  });
  return [base, ...withField, ...ofEachType];
}

/** Calls back with values for every field below the schema. `shape` is its path, with `[]` for every index. */
export function eachSample(
  schema: OpenApiSchema,
  shape: string,
  found: (parent: string, field: string, value: unknown) => void,
): void {
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const inner = `${shape}.${name}`;
    if (field.items) {
      for (const value of variants(field.items)) found(shape, name, [value]);
      eachSample(field.items, `${inner}[]`, found);
    } else {
      for (const value of variants(field)) found(shape, name, value);
      eachSample(field, inner, found);
    }
  }
}
