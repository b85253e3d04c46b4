// Nothing may leave this machine.
const net = require("node:net");
const connect = net.Socket.prototype.connect;

net.Socket.prototype.connect = function (...given) {
  const options = Array.isArray(given[0]) ? given[0][0] : given[0];
  const host = options?.host ?? "localhost";
  if (!options?.path && !["127.0.0.1", "::1", "localhost"].includes(host)) {
    throw new Error(`a client wanted to connect to ${host}`);
  }
  return connect.apply(this, given);
};
