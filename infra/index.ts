/** The storefront as a Pulumi program. */
import app from '../examples/storefront/app.ts';
import { AppResources } from './app-resources.ts';

new AppResources('storefront', app);
