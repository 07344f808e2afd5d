/**
 * The checks of a whole app at synth: what each construct says of itself, and then what the objects mean together, by the same
 * `translate()` that serves them. An error fails the synth with the path of the construct, as every validation of cdk8s does; a
 * warning is printed.
 */
import { App } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { type AppObject, objectsOf } from './app-objects.ts';
import { inAllCopies } from './copies.ts';
import { type Finding, findingsOf } from './findings.ts';

export interface Report {
  readonly errors: readonly Finding[];
  readonly warnings: readonly Finding[];
  /** None where a construct finds something wrong with itself. */
  readonly objects: readonly AppObject[];
}

interface Checked {
  strict: boolean;
  /** Set while the constructs are asked, so that the app's own validation does not ask them again. */
  asking: boolean;
  /** Set while cdk8s writes the whole app. */
  synthesizing: boolean;
  /** Set from the check of such a synth to its end, where nothing was wrong: until then nobody can change the app. */
  settled: boolean;
  /** Errors of the last check that no construct says of itself. */
  errors: Map<IConstruct, string[]>;
  readonly printed: Set<string>;
}

const apps = inAllCopies('checks/1', () => new WeakMap<IConstruct, Checked>());

/**
 * Makes sure that the app of this construct is checked when it is synthesized, whoever synthesizes it.
 *
 * @param problems What is wrong with the construct itself, in sentences; asked for at synth.
 */
export function requireChecks(construct: IConstruct, problems?: () => string[]): void {
  const checked = checkedOf(construct.node.root);
  if (problems) construct.node.addValidation({ validate: () => (checked.settled ? [] : problems()) });
}

/** From now on warnings of this app are errors. */
export function strict(app: IConstruct): void {
  checkedOf(app.node.root).strict = true;
}

/** Everything that is wrong with an app. */
export function check(app: IConstruct): Report {
  const root = app.node.root;
  const checked = checkedOf(root);
  checked.errors = new Map();
  const own = ownErrors(root, checked);
  const objects = own.length > 0 ? [] : objectsOf(root);
  // What a construct finds wrong with itself would be found again in its objects, in other words.
  const findings = own.length > 0 ? own : findingsOf(root, objects);
  const isError = (finding: Finding) => checked.strict || finding.severity === 'error';
  return { errors: findings.filter(isError), warnings: findings.filter((each) => !isError(each)), objects };
}

function ownErrors(root: IConstruct, checked: Checked): Finding[] {
  checked.asking = true;
  try {
    return root.node
      .findAll()
      .flatMap((construct) =>
        construct.node
          .validate()
          .map((message) => ({ severity: 'error' as const, path: construct.node.path, message })),
      );
  } finally {
    checked.asking = false;
  }
}

function checkedOf(root: IConstruct): Checked {
  const known = apps.get(root);
  if (known) return known;
  const checked: Checked = {
    strict: false,
    asking: false,
    synthesizing: false,
    settled: false,
    errors: new Map(),
    printed: new Set(),
  };
  apps.set(root, checked);
  checkOncePerSynth(root, checked);
  // cdk8s asks the root first, so what is found here is told by the constructs that are asked after it, each with its path.
  root.node.addValidation({
    validate: () => {
      if (!checked.asking && !checked.settled) tell(root, checked);
      return [];
    },
  });
  return checked;
}

/**
 * cdk8s validates the whole app once more for every chart that it writes. Between the first time and the last, no code but that
 * of cdk8s runs, so the answer stays the same; and to find it again for each chart would cost charts times objects.
 */
function checkOncePerSynth(root: IConstruct, checked: Checked): void {
  for (const method of ['synth', 'synthYaml'] as const) {
    if (!(root instanceof App)) continue;
    const synth = (): unknown => {
      // Looked up late: a command line may hold back what an app writes.
      const inherited: () => unknown = Object.getPrototypeOf(root)[method];
      checked.synthesizing = true;
      try {
        return inherited.call(root);
      } finally {
        checked.synthesizing = false;
        checked.settled = false;
      }
    };
    Object.defineProperty(root, method, { value: synth, configurable: true, writable: true });
  }
}

const listening = inAllCopies('listening/1', () => new WeakSet<IConstruct>());

function tell(root: IConstruct, checked: Checked): void {
  const { errors, warnings } = check(root);
  checked.settled = checked.synthesizing && errors.length === 0;
  const constructs = new Map(root.node.findAll().map((construct) => [construct.node.path, construct]));
  for (const { path, message } of errors) {
    const construct = constructs.get(path) ?? root;
    checked.errors.set(construct, [...(checked.errors.get(construct) ?? []), message]);
    if (listening.has(construct)) continue;
    listening.add(construct);
    construct.node.addValidation({ validate: () => checked.errors.get(construct) ?? [] });
  }
  for (const { path, message } of warnings) {
    const line = `warning [${path}] ${message}\n`;
    if (!checked.printed.has(line)) process.stderr.write(line);
    checked.printed.add(line);
  }
}
