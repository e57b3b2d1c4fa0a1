/** What an HTML page would fetch when it is opened; links to follow are no loads, nor is the text of scripts. */
export function remoteLoads(page: string): string[] {
  const withoutScripts = page.replace(/(<script[^>]*>)[\s\S]*?<\/script>/g, "$1");
  const loads = [
    /<(?:script|img|iframe|source|video|audio|embed)\b[^>]*\ssrc\s*=\s*["']?(?:https?:)?\/\/[^>]*>/gi,
    /<link\b[^>]*\shref\s*=\s*["']?(?:https?:)?\/\/[^>]*>/gi,
    /(?:@import|url\()\s*["']?(?:https?:)?\/\/[^)\s]*/gi,
  ];
  return loads.flatMap((load) => withoutScripts.match(load) ?? []);
}
