/** The app beside the gateway that it attaches to, as the platform exported it: for `serve`, tests and previews. `app.ts` is what is applied. */
import { fileURLToPath } from 'node:url';
import { Chart, Include } from 'cdk8s';
import app from './app.ts';

new Include(new Chart(app, 'granted'), 'objects', {
  url: fileURLToPath(new URL('./grants/shop.yaml', import.meta.url)),
});

export default app;
