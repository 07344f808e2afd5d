/** The storefront: one platform, three teams. `npm start` serves it here; `pulumi up` puts it into a cluster. */
import './shop.ts';
import './media.ts';
import './data.ts';

export { app as default } from './platform.ts';
