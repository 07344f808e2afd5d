/** Which pages of other origins may call: `cors({ origins: ['https://app.example.com'] })`. */
import { seconds, type TimeSpan, timeSpan } from './duration.ts';
import type { Filter } from './filter.ts';
import type { Method } from './match.ts';
import { flag, noted, optional, read, type Shape, texts } from './props.ts';

export interface CorsProps {
  /** Such as `https://app.example.com` or `https://*.example.com`; `'*'` alone is every origin. */
  readonly origins: readonly ('*' | `http://${string}` | `https://${string}`)[];
  /**
   * Whether pages may send cookies and other credentials along.
   * @default false
   */
  readonly credentials?: boolean;
  /**
   * Methods beyond those that need no leave (GET, HEAD and POST); `'*'` alone is every method.
   * @default - none
   */
  readonly methods?: readonly (Method | '*')[];
  /**
   * Headers that pages may send, beyond those that need no leave; `'*'` alone is every header.
   * @default - none
   */
  readonly headers?: readonly string[];
  /**
   * Headers of the response that pages may read, beyond those that need no leave.
   * @default - none
   */
  readonly exposeHeaders?: readonly string[];
  /**
   * How long a browser may remember this, in whole seconds.
   * @default - 5s
   */
  readonly maxAge?: TimeSpan;
}

const CORS: Shape<CorsProps> = {
  origins: texts,
  credentials: optional(flag),
  methods: optional(texts),
  headers: optional(texts),
  exposeHeaders: optional(texts),
  maxAge: optional(timeSpan),
};

/** Answers preflight requests, and says in every response which pages may read it. */
export function cors(given: CorsProps): Filter {
  const { props, problems } = read('cors()', given, CORS);
  const { origins, credentials, methods, headers, exposeHeaders, maxAge } = props;
  const age = maxAge === undefined ? { problems: [] } : seconds('cors()', 'maxAge', maxAge);
  return noted(
    {
      type: 'CORS',
      config: {
        allowOrigins: origins,
        allowCredentials: credentials,
        allowMethods: methods,
        allowHeaders: headers,
        exposeHeaders,
        maxAge: 'value' in age ? age.value : undefined,
      },
    },
    [...problems, ...age.problems],
  );
}
