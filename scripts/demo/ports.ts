import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Ports of the demonstration on 127.0.0.1, by what they are for. Those that docker-compose.yml publishes are the same there. */
const USUAL = {
  clients: 5222,
  clientsTls: 5223,
  directory: 3389,
  snmp: 1161,
  prometheus: 9090,
  page: 8404,
  redis: 5290,
  node1: 5301,
  node1Tls: 5302,
  node1Http: 5303,
  node1Agent: 5304,
  node2: 5311,
  node2Tls: 5312,
  node2Http: 5313,
  node2Agent: 5314,
};

export type Ports = typeof USUAL;
export type NodeName = 'node1' | 'node2';

const HIGHEST = 65_535 - Math.max(...Object.values(USUAL));

/** All of them, so much higher. */
export function portsAt(offset: number): Ports {
  if (!Number.isInteger(offset) || offset < 0 || offset > HIGHEST) {
    throw new Error(`--port-offset takes a number from 0 to ${HIGHEST}.`);
  }
  return Object.fromEntries(Object.entries(USUAL).map(([name, port]) => [name, port + offset])) as Ports;
}

/** Those that somebody else has. */
export async function taken(ports: Ports): Promise<number[]> {
  const free = await Promise.all(
    Object.entries(ports).map(([name, port]) => (name === 'snmp' ? isFreeUdp(port) : isFree(port))),
  );
  return Object.values(ports).filter((_, index) => !free[index]);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  return once(server, 'listening').then(
    async () => {
      await once(server.close(), 'close');
      return true;
    },
    () => false,
  );
}

async function isFreeUdp(port: number): Promise<boolean> {
  const socket = createSocket('udp4').bind(port, '127.0.0.1');
  return once(socket, 'listening').then(
    async () => {
      await once(socket.close(), 'close');
      return true;
    },
    () => false,
  );
}
