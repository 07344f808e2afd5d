/** What the client that is measured and those who hold connections ask for: a route of each proxy of `tests/bench/proxy`. */
export const TARGET = { host: 'h0.example.com', path: '/api/v0' };

/** A path below it, for which the backend has an answer of many megabytes. */
export const LARGE = `${TARGET.path}/large`;
