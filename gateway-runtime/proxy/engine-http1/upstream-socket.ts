/** The socket of a connection to an endpoint, on its way there, and what is read from it. */
import { connect, type Socket } from 'node:net';
import type { TargetEndpoint } from '../exchange.ts';
import { tellLostWrites } from './lost-writes.ts';
import { HIGH_WATER_MARK, type OnOctets, PUBLIC, type Transport, type Wire } from './transport.ts';

/**
 * @param stream its socket is read as a stream, so that it can be given away
 * @param onLost the endpoint reads no more; not told of one that is given away
 */
export function openSocket(
  transport: Transport,
  endpoint: TargetEndpoint,
  stream: boolean,
  onOctets: OnOctets,
  onLost: () => void,
): { socket: Socket; wire: Wire } {
  if (endpoint.tls) {
    const socket = endpoint.tls.connect(endpoint, HIGH_WATER_MARK);
    tellLostWrites(socket, onLost);
    return { socket, wire: PUBLIC.accept(socket, onOctets) };
  }
  const options = {
    host: endpoint.address,
    port: endpoint.port,
    noDelay: true,
    writableHighWaterMark: HIGH_WATER_MARK,
  };
  if (!stream) return transport.connect(options, onOctets, onLost);
  const socket = connect(options);
  return { socket, wire: PUBLIC.accept(socket, onOctets) };
}
