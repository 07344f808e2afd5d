/** What has to notice planted bugs, on the default engine: none of them is in another one. */
import base from '../../jest.config.js';

const { projects, testTimeout } = base;

export default { ...projects[0], testTimeout, rootDir: '../..' };
