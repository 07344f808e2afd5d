// A backend as it should be: it tells what it was asked, and when it is to stop it goes on for as long as others may still send it requests,
// has its clients leave, and ends when they have.
import { createServer } from 'node:http';

const LEAVE_AFTER = 3000;
const END_AFTER = 5000;
let leaving = false;

const server = createServer((request, response) => {
  let length = 0;
  request.on('data', (part) => {
    length += part.length;
  });
  request.on('end', () => {
    if (leaving) response.setHeader('connection', 'close');
    const { method, url } = request;
    response.end(JSON.stringify({ pod: process.env.POD_NAME, method, path: url, length }));
  });
});
server.keepAliveTimeout = 30_000;
server.listen(3000);

process.on('SIGTERM', () => {
  setTimeout(() => {
    leaving = true;
  }, LEAVE_AFTER);
  setTimeout(() => server.close(() => process.exit()), END_AFTER);
});
