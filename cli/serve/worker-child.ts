/** The process of one worker of `serve`. */
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import { runWorker } from '../../gateway-runtime/workers/worker.ts';

runWorker(re2);
