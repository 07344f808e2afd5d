/** Reads what a path stands for, for a test that waits: matchers give their answer at once, and an app is loaded in a process of its own. */
import { APP_TIMEOUT } from '../cli/app/app-process.ts';
import { Sources } from '../cli/sources.ts';
import { CommandError } from '../cli/terminal.ts';
import type { PathReply } from './read-path.ts';

/** `problem`: the path can't be used at all. */
async function read(path: string): Promise<PathReply | { readonly problem: string }> {
  try {
    const sources = await Sources.of([path], {
      print: (text) => void process.stderr.write(text),
      timeout: APP_TIMEOUT,
    });
    const { problems } = await sources.read();
    return { objects: [...sources.objects.objects()], problems, files: sources.watched() };
  } catch (error) {
    if (error instanceof CommandError) return { problem: error.message.replace(/^error /, '') };
    throw error;
  }
}

process.stdout.write(JSON.stringify(await read(process.argv[2]!)));
