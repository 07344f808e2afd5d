/**
 * Peers that are gone without a word, as with their node or network. Where a rule lets a request wait without end nothing else would tell, and its connections
 * would stay for ever: so the kernel asks a peer that is silent for long whether it is there, and ends the connection where nothing comes back (RFC 9293
 * section 3.8.4). Nothing is done for connections on which something moves.
 */
import type { Socket } from 'node:net';

/** Milliseconds. */
const SILENCE = 15_000;

/** At every look at a connection on which something is under way. */
export function askIfSilent(socket: Socket, silent: number): void {
  if (silent > SILENCE) socket.setKeepAlive(true, SILENCE);
}
