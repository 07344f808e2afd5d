/** Processes of one data plane: more than any machine that it runs on has cores to spare for. */
export const MOST_WORKERS = 64;
