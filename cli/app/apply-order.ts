/**
 * The order in which objects can be applied in one go: what others live in or are instances of goes first, everything else
 * stays in the order of the app.
 */
const FIRST = ['CustomResourceDefinition', 'Namespace'];

/** `text` is a stream of YAML documents as cdk8s writes them, with `kind` at the start of a line. */
export function inApplyOrder(text: string): string {
  const documents = text.split(/^---\n/m).filter((document) => document.trim() !== '');
  const rank = (document: string) => {
    const index = FIRST.indexOf(/^kind: (\w+)$/m.exec(document)?.[1] ?? '');
    return index < 0 ? FIRST.length : index;
  };
  return documents.sort((a, b) => rank(a) - rank(b)).join('---\n');
}
