/** `gatewright owners` and `diff` of the cluster, which say of it what they say of the app that is in it. */
import { describe, expect, it } from '@jest/globals';
import { type Finished, gatewright } from '../../cli/support/command.ts';

const APP = 'tests/e2e/roles/app.ts';
const CHANGED = 'tests/e2e/roles/changed-app.ts';

async function told(...args: string[]): Promise<Finished> {
  const finished = await gatewright(args);
  const lines = finished.stdout.split('\n');
  if (!args.includes('--json')) expect(lines.filter((each) => each.length > 80)).toEqual([]);
  return finished;
}

interface Report {
  readonly owners: readonly { readonly host: string; readonly path: string }[];
}

/** What was said, without the lines of the app that it is from, and in one order. */
async function unplaced(...args: string[]): Promise<Report> {
  const { stdout, stderr } = await told(...args, '--json');
  expect(stderr).toBe('');
  const report = JSON.parse(stdout, (key, value) => (key === 'origin' ? undefined : value)) as Report;
  const place = ({ host, path }: Report['owners'][number]) => `${host} ${path}`;
  return { ...report, owners: report.owners.toSorted((a, b) => (place(a) < place(b) ? -1 : 1)) };
}

export function commandTests(): void {
  describe('gatewright owners cluster', () => {
    it('lists who has which hosts and paths, by which grant', async () => {
      const { code, stdout } = await told('owners', 'cluster');
      expect(code).toBe(0);
      expect(stdout).toBe(`Gateway infra/shared-gw

  TEAM      HOST                 PATH         PORTS    ROUTES
  media     brand.example.com    /*           80, 443  brand-site
      cluster Grant/infra/shared-gw-media grant brand
  media     media.example.com    /*           80, 443  site
  media     *.media.example.com  /*           80, 443  site
      cluster Grant/infra/shared-gw-media grant media
  payments  shop.example.com     /checkout/*  80, 443  checkout
  payments  *.apps.example.com   /checkout/*  80, 443  checkout
      cluster Grant/infra/shared-gw-payments grant shop/payments
  shop      pay.example.com      /*           443      pay
      cluster Grant/infra/shared-gw-shop grant pay
  shop      rpc.example.com      /*           80, 443  none yet
      cluster Grant/infra/shared-gw-shop grant rpc
  shop      shop.example.com     /*           80, 443  store
      /checkout/* is given on to payments
  shop      *.apps.example.com   /*           80, 443  store
      /checkout/* is given on to payments
      cluster Grant/infra/shared-gw-shop grant shop

9 hosts and paths of 3 teams: 1 without routes, none claimed by several.
`);
    });

    it('says the same as of the app', async () => {
      const [ofCluster, ofApp] = [await unplaced('owners', 'cluster'), await unplaced('owners', APP)];
      expect(ofCluster).toMatchObject({ owners: { length: 9 }, claimedBySeveral: [], problems: [] });
      expect(ofCluster).toEqual(ofApp);
    });

    it('says who has a URL, however it is written, and that nobody has it', async () => {
      const { code, stdout } = await told(
        ...['owners', 'cluster', '--url', 'https://SHOP.example.com.:443/%63heckout/x'],
      );
      expect(code).toBe(0);
      expect(stdout).toBe(`https://SHOP.example.com.:443/%63heckout/x
Read as   https://shop.example.com/checkout/x

Gateway   infra/shared-gw
Owner     team payments
By        shop.example.com /checkout/* (cluster Grant/infra/shared-gw-payments
          grant shop/payments)
Inside    shop.example.com /* (cluster Grant/infra/shared-gw-shop grant shop),
          of team shop
Listener  secure.shop.example.com of ListenerSet infra/shared-gw-shop
Answer    Served by HTTPRoute payments/checkout spec.rules[0].
`);
      expect(await told('owners', 'cluster', '--url', 'http://new.example.com/')).toMatchObject({
        code: 1,
        stdout: expect.stringContaining('Owner     nobody\n'),
      });
    });
  });

  describe('gatewright diff cluster', () => {
    it('finds nothing where the app is what is there', async () => {
      const { code, stdout } = await told('diff', 'cluster', APP);
      expect({ code, stdout }).toEqual({ code: 0, stdout: 'No request goes another way.\n' });
    });

    it('says what goes another way with a changed app, by whom, and whom it touches', async () => {
      const { code, stdout } = await told('diff', 'cluster', CHANGED);
      expect(code).toBe(1);
      expect(stdout.replaceAll(/\.ts:\d+/g, '.ts')).toContain(`
  *.apps.example.com, shop.example.com /checkout/*
    before    payments/pay:8080; a body of at most 1048576 bytes, or 413; the
              whole request: at most 60 s, then 504
              HTTPRoute payments/checkout spec.rules[0] (cluster)
    after     redirects (308) to scheme https, port 443
              HTTPRoute payments/checkout spec.rules[0]
              (tests/roles/tenant-objects.ts payments/checkout)
    try       GET http://www.apps.example.com/checkout
    teams     changed by infra; touches payments, which changed nothing
`);
      expect(stdout).toMatch(/\n6 moved; touches teams that changed nothing: media, payments, shop\n$/);
      const { regions } = JSON.parse((await told('diff', 'cluster', CHANGED, '--json')).stdout) as {
        regions: { severity: string; requests: string; touched: string[]; witness: { url: string } }[];
      };
      expect(regions).toHaveLength(6);
      expect(regions).toContainEqual(
        expect.objectContaining({
          severity: 'moved',
          requests: '/news/*',
          authors: ['media'],
          touched: [],
          witness: expect.objectContaining({ url: 'https://www.media.example.com/news' }),
        }),
      );
    });
  });
}
