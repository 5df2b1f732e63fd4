// Offers load over raw sockets, cheaply enough to overload a gateway from one process.
// Argument: JSON of { url, request, connections, rate, seconds }; rate 0: each connection sends again at once.
// Prints JSON of { status: { [code]: { rate, count, p50, p99, sample } }, errors, unsent }.
import { connect } from 'node:net';

const { url, request, connections, rate, seconds } = JSON.parse(process.argv[2]);
const { hostname, port } = new URL(url);
const latencies = {};
const samples = {};
let errors = 0;
let unsent = 0;
let over = false;
const idle = [];

class Client {
  constructor() {
    this.busy = false;
    this.head = '';
    this.socket = connect(Number(port), hostname, () => this.free());
    this.socket.setNoDelay(true).setEncoding('latin1');
    this.socket.on('data', (text) => this.read(text));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      if (this.busy) errors++;
      const at = idle.indexOf(this);
      if (at >= 0) idle.splice(at, 1);
      if (!over) setTimeout(() => clients.push(new Client()), 10);
    });
  }
  free() {
    this.busy = false;
    if (rate === 0 && !over) this.send();
    else idle.push(this);
  }
  send() {
    this.busy = true;
    this.start = performance.now();
    this.socket.write(request);
  }
  read(text) {
    this.head += text;
    const end = this.head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(this.head)?.[1] ?? 0);
    if (this.head.length < end + 4 + length) return;
    const status = this.head.slice(9, 12);
    (latencies[status] ??= []).push(performance.now() - this.start);
    samples[status] ??= this.head;
    this.head = '';
    this.free();
  }
}

const clients = Array.from({ length: connections }, () => new Client());
await new Promise((resolve) => setTimeout(resolve, 300));
for (const key of Object.keys(latencies)) delete latencies[key];
const start = performance.now();
let due = 0;
const timer =
  rate > 0 &&
  setInterval(() => {
    const target = ((performance.now() - start) * rate) / 1000;
    for (; due < target; due++) {
      const client = idle.shift();
      if (client === undefined) unsent++;
      else client.send();
    }
  }, 2);
await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
over = true;
clearInterval(timer);
const elapsed = (performance.now() - start) / 1000;
const status = {};
for (const [code, list] of Object.entries(latencies)) {
  const sorted = Float64Array.from(list).sort();
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  status[code] = { rate: list.length / elapsed, count: list.length, p50: at(0.5), p99: at(0.99) };
  status[code].sample = samples[code];
}
process.stdout.write(JSON.stringify({ status, errors, unsent }), () => process.exit(0));
