// A login backend in a process of its own: answers what the test tells it to.
//   node backend-process.mjs          prints its URL; then one JSON line per rule on standard input:
//   {"path":"/token.json","status":200,"headers":{…},"body":"…","delayMs":0}   prints "ok" when it is in force
// Requests are echoed as JSON lines: {"method","url","headers","body"}.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

const rules = new Map();
const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const { method, url, headers } = request;
    const body = Buffer.concat(chunks).toString('base64');
    process.stdout.write(`${JSON.stringify({ method, url, headers, body })}\n`);
    const rule = rules.get(url.split('?')[0]) ?? { status: 404, body: '{"error":"no rule"}' };
    response.writeHead(rule.status ?? 200, {
      'content-type': 'application/json',
      ...rule.headers,
    });
    if (rule.delayMs > 0) setTimeout(() => response.end(rule.body), rule.delayMs);
    else response.end(rule.body);
  });
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${server.address().port}\n`);
});
createInterface({ input: process.stdin }).on('line', (line) => {
  const rule = JSON.parse(line);
  rules.set(rule.path, rule);
  process.stdout.write('ok\n');
});
