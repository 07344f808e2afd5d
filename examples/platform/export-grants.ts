/** Writes what each team was granted, for the team's repository to import: `npm run grants`. */
import { platform } from './platform.ts';

for (const team of ['shop', 'media', 'payments']) {
  platform.exportGrants(`grants/${team}.ts`);
  console.log(`grants/${team}.ts, .json and .yaml are up to date`);
}
