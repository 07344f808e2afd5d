/** The ports of both planes, which synth knows as well. */
export { ADMIN_PORT, CONTROL_PORT, containerPort } from '../snapshot/container-ports.ts';
