/** What the expressions of admission are made of: CEL as text, from parts that are CEL as text. */

/** What of a gateway the expressions are about. */
export interface AdmittedGateway {
  readonly namespace: string;
  readonly name: string;
  /** Its listeners that are open to whole namespaces. */
  readonly open: readonly string[];
  /** Routes that use default Gateways attach to it (GEP-3793). */
  readonly isDefault: boolean;
  /** The names of its listeners by port, as messages call them. */
  readonly ports: ReadonlyMap<number, string>;
  /** Other gateways of the namespace whose name begins with this one and "-", so that their ListenerSets are not taken for its own. */
  readonly longer: readonly string[];
}

export interface Named {
  readonly name: string;
  readonly expression: string;
}

export interface Validation {
  readonly expression: string;
  /** Where the message itself can't be made. */
  readonly message: string;
  readonly messageExpression: string;
}

export interface Rules {
  readonly variables: readonly Named[];
  readonly validations: readonly Validation[];
}

export const text = (value: string) => JSON.stringify(value);
export const all = (...conditions: readonly string[]) => conditions.map((each) => `(${each})`).join(' && ');
export const given = (field: string, otherwise: string) => `(has(${field}) ? ${field} : ${otherwise})`;

export const covers = (granted: string, asked: string) =>
  `(${granted} == ${asked} || (${granted}.startsWith('*.') && ${asked}.size() >= ${granted}.size() && ${asked}.endsWith(${granted}.substring(1))))`;
export const isBelow = (path: string, limit: string) =>
  `(${limit} == '/' || ${path} == ${limit} || ${path}.startsWith(${limit} + '/'))`;
export const hostnamesText = (list: string) =>
  `(${list}.size() > 1 ? 'hostnames ' + ${list}.join(', ') : 'hostname ' + (${list}.size() == 1 ? ${list}[0] : '*'))`;
export const missingGrant = (what: string, { namespace, name }: AdmittedGateway, team: string) =>
  `'Missing: a grant of ' + ${what} + ${text(` at gateway ${namespace}/${name} to team `)} + ${team}`;

/** Of a grant and a hostname, or a grant and a reference: whether they go together. */
export type Test = (grant: string, other: string) => string;
