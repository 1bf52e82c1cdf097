// Times of the server, as the person at the browser reads them.

export function localTime(rfc3339: string): string {
  const time = new Date(rfc3339);
  return Number.isNaN(time.getTime()) ? rfc3339 : time.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}
