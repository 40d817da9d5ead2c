/**
 * A WebSocket text message as a server sends it (RFC 6455 §5.2: one frame, FIN, unmasked, no extension): header and
 * UTF-8 payload in one buffer. A server's frames are the same bytes for every receiver, so one push to a group is
 * encoded once and written to any number of sockets.
 */
export function encodeTextFrame(text: string): Buffer {
  const payloadBytes = Buffer.byteLength(text);
  const headerBytes = payloadBytes < 126 ? 2 : payloadBytes < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headerBytes + payloadBytes);
  frame[0] = 0x81;
  if (headerBytes === 2) {
    frame[1] = payloadBytes;
  } else if (headerBytes === 4) {
    frame[1] = 126;
    frame[2] = payloadBytes >>> 8;
    frame[3] = payloadBytes & 0xff;
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(payloadBytes), 2);
  }
  frame.write(text, headerBytes, "utf8");
  return frame;
}
