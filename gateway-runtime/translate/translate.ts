/** Translation in one go: for synth, the CLI and tests. */
import type { RawObject } from '../api/object.ts';
import type { TranslateOptions, Translation } from './translation.ts';
import { Translator } from './translator.ts';

/** What these objects mean, whatever their order. Of two objects with one name the later one counts. */
export function translate(objects: readonly RawObject[], options: TranslateOptions): Translation {
  const translator = new Translator(options);
  translator.apply(objects.map((set) => ({ set })));
  return translator.current;
}
