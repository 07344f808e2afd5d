/** The platform and its teams, without the runtime, which `pulumi up` configures for each cluster. */
import './shop.ts';
import './media.ts';
import './data.ts';

export { app } from './platform.ts';
