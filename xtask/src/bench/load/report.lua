function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    "counts: requests=%.0f bytes=%.0f micros=%.0f connect=%.0f read=%.0f write=%.0f status=%.0f timeout=%.0f\n",
    summary.requests, summary.bytes, summary.duration,
    errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
