// Where in a JSON text the value of a JSON pointer (RFC 6901) stands: [start, end], of the last part of the way that is there.

export function place(text, pointer) {
  const parts = pointer.split("/").slice(1).map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  let at = 0;

  const space = () => { while (/\s/.test(text[at] ?? "")) at++; };

  // Past a string; gives its text.
  const string = () => {
    const start = at++;
    while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
    return JSON.parse(text.slice(start, ++at));
  };

  // Past a value. `left` are the parts still to go, undefined where the way does not lead.
  function value(left) {
    space();
    const start = at;
    let inner;
    if (text[at] === "{" || text[at] === "[") {
      const isObject = text[at++] === "{";
      for (let index = 0; ; index++) {
        space();
        if (text[at] === "}" || text[at] === "]") { at++; break; }
        if (text[at] === ",") { at++; space(); }
        let key = String(index);
        if (isObject) {
          key = string();
          space();
          at++;
        }
        const found = value(left?.length && left[0] === key ? left.slice(1) : undefined);
        inner ??= found;
        space();
      }
    } else if (text[at] === '"') {
      string();
    } else {
      while (at < text.length && !/[\s,\]}]/.test(text[at])) at++;
    }
    return left && (inner ?? [start, at]);
  }

  return value(parts) ?? [0, text.length];
}
