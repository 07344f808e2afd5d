/**
 * Edits of a status as a JSON Patch (RFC 6902). Each operation comes with a `test` of what is to be replaced, so that it
 * fails where somebody was faster, while others may change their own entries as they like.
 */
import type { Edit } from './status-writer-merge.ts';

export type PatchOperation =
  | { readonly op: 'test' | 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

/** @param resourceVersion of the object in which the edits were found to be needed */
export function statusPatch(
  hasStatus: boolean,
  edits: readonly Edit[],
  resourceVersion: string,
): PatchOperation[] {
  const operations: PatchOperation[] = [];
  // What is not there can't be tested but by the version of the whole object: our entry would stand there twice where an
  // answer was lost.
  const isNew = (edit: Edit) => ('value' in edit ? edit.before === undefined : edit.append.length > 0);
  if (!hasStatus || edits.some(isNew)) {
    operations.push({ op: 'test', path: '/metadata/resourceVersion', value: resourceVersion });
  }
  if (!hasStatus) {
    const status = Object.fromEntries(
      edits.flatMap((edit) => ('value' in edit ? [[edit.field, edit.value]] : [])),
    );
    return [...operations, { op: 'add', path: '/status', value: status }];
  }
  for (const edit of edits) {
    const path = `/status/${edit.field}`;
    if ('value' in edit) {
      if (edit.before !== undefined) operations.push({ op: 'test', path, value: edit.before });
      operations.push({ op: 'add', path, value: edit.value });
      continue;
    }
    for (const { index, before, value } of edit.replace) {
      operations.push({ op: 'test', path: `${path}/${index}`, value: before });
      operations.push({ op: 'replace', path: `${path}/${index}`, value });
    }
    // From the end, so that what comes before keeps its index.
    for (const { index, before } of edit.remove.toReversed()) {
      operations.push({ op: 'test', path: `${path}/${index}`, value: before });
      operations.push({ op: 'remove', path: `${path}/${index}` });
    }
    for (const value of edit.append) operations.push({ op: 'add', path: `${path}/-`, value });
  }
  return operations;
}
