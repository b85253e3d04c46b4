// Markdown to elements: the part of it that models write. Every text becomes a text node, addresses are limited to
// those that cannot run anything, pictures stay links (the page loads nothing from elsewhere).

import { copyButton, element } from "./dom.js";

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^`\s]*)[^`]*$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const QUOTE = /^ {0,3}>\s?/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])(\s+)(.*)$/;
const TABLE = /^ {0,3}\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;
const DEEPEST = 12;

/** The elements of a text. */
export function markdown(text) {
  const whole = document.createDocumentFragment();
  whole.append(...blocks(text.replace(/\r\n?/g, "\n").replace(/\t/g, "    ").split("\n"), 0));
  levelHeadings(whole);
  return whole;
}

/** Headings below the message's own, without a gap, however the text numbers them: people jump along them. */
function levelHeadings(whole) {
  let last = 2;
  for (const heading of whole.querySelectorAll("h3, h4, h5, h6")) {
    const level = Math.min(Number(heading.localName[1]), last + 1);
    if (`h${level}` !== heading.localName) heading.replaceWith(element(`h${level}`, {}, ...heading.childNodes));
    last = level;
  }
}

function blocks(lines, depth) {
  const made = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    let found;
    if (!line.trim()) at += 1;
    else if ((found = FENCE.exec(line))) [at] = [fence(lines, at, found, made)];
    else if ((found = HEADING.exec(line))) {
      const level = Math.min(6, found[1].length + 2);
      made.push(element(`h${level}`, {}, ...inline(found[2], depth)));
      at += 1;
    } else if (RULE.test(line)) {
      made.push(element("hr"));
      at += 1;
    } else if (depth < DEEPEST && QUOTE.test(line)) at = quote(lines, at, made, depth);
    else if (depth < DEEPEST && ITEM.test(line)) at = list(lines, at, made, depth);
    else if (line.includes("|") && at + 1 < lines.length && lines[at + 1].includes("-") && TABLE.test(lines[at + 1]))
      at = table(lines, at, made, depth);
    else at = paragraph(lines, at, made, depth);
  }
  return made;
}

function fence(lines, at, [, mark, language], made) {
  const close = new RegExp(`^ {0,3}${mark[0]}{${mark.length},}\\s*$`);
  let end = at + 1;
  while (end < lines.length && !close.test(lines[end])) end += 1;
  const code = lines.slice(at + 1, end).join("\n");
  const caption = element("figcaption", {}, element("span", { textContent: language || "text" }));
  caption.append(copyButton(() => code, "Copy"));
  const shown = element("pre", { tabIndex: 0, role: "region", "aria-label": `Code: ${language || "text"}` });
  shown.append(element("code", { textContent: code }));
  made.push(element("figure", {}, caption, shown));
  return end + 1;
}

function quote(lines, at, made, depth) {
  const inside = [];
  while (at < lines.length && QUOTE.test(lines[at])) inside.push(lines[at++].replace(QUOTE, ""));
  made.push(element("blockquote", {}, ...blocks(inside, depth + 1)));
  return at;
}

function list(lines, at, made, depth) {
  const first = ITEM.exec(lines[at]);
  const ordered = /\d/.test(first[2]);
  const items = [];
  while (at < lines.length) {
    const found = ITEM.exec(lines[at]);
    if (!found || /\d/.test(found[2]) !== ordered || RULE.test(lines[at])) break;
    const indent = found[1].length + found[2].length + Math.min(found[3].length, 4);
    const inside = [found[4]];
    at += 1;
    while (at < lines.length && (belongs(lines[at], indent) || (!lines[at].trim() && belongs(lines[at + 1], indent))))
      inside.push(lines[at++].slice(indent));
    while (at < lines.length && !lines[at].trim() && ITEM.test(lines[at + 1] ?? "")) at += 1;
    items.push(item(inside, depth));
  }
  const start = ordered ? Number.parseInt(first[2], 10) : 1;
  made.push(element(ordered ? "ol" : "ul", start === 1 ? {} : { start }, ...items));
  return at;
}

/** Whether a line is part of an item: indented as far, or at least as far as nested items usually are. */
function belongs(line, indent) {
  if (line === undefined) return false;
  const blank = line.length - line.trimStart().length;
  return line.trim() !== "" && blank >= Math.min(indent, 2) && (blank >= indent || ITEM.test(line.trimStart()));
}

function item(inside, depth) {
  const parts = blocks(inside, depth + 1);
  const tight = parts.flatMap((part) => (part.localName === "p" && parts.length <= 2 ? [...part.childNodes] : [part]));
  return element("li", {}, ...tight);
}

function table(lines, at, made, depth) {
  const cells = (line) => line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
  const row = (line, kind) => element("tr", {}, ...cells(line).map((cell) => element(kind, {}, ...inline(cell, depth))));
  const head = element("thead", {}, row(lines[at], "th"));
  const body = element("tbody");
  at += 2;
  while (at < lines.length && lines[at].includes("|") && lines[at].trim()) body.append(row(lines[at++], "td"));
  const box = element("div", { className: "table", tabIndex: 0, role: "region", "aria-label": "Table" });
  box.append(element("table", {}, head, body));
  made.push(box);
  return at;
}

function paragraph(lines, at, made, depth) {
  const inside = [];
  do inside.push(lines[at++].trim());
  while (at < lines.length && lines[at].trim() && !begins(lines[at]));
  const parts = inside.flatMap((line, n) => (n ? [element("br"), ...inline(line, depth)] : inline(line, depth)));
  made.push(element("p", {}, ...parts));
  return at;
}

const begins = (line) => [FENCE, HEADING, RULE, QUOTE, ITEM].some((pattern) => pattern.test(line));

const SPANS = [
  ["\\\\([!-/:-@[-`{-~])", ([, sign]) => document.createTextNode(sign)],
  ["(`+)(?!`)(.+?)(?<!`)\\1(?!`)", ([, , code]) => element("code", { textContent: code.replace(/^ (.*) $/, "$1") })],
  ["!?\\[([^\\[\\]]{1,1000})\\]\\(([^\\s()]{1,2000})(?:\\s+\"[^\"]{0,300}\")?\\)", ([whole, text, address], depth) => link(address, inline(text, depth + 1)) ?? whole],
  ["https?://[^\\s<>\"'`)\\]]*[^\\s<>\"'`)\\].,;:!?]", ([address]) => link(address, [address])],
  ["\\*\\*(?=\\S)(.{1,4000}?\\S)\\*\\*", ([, text], depth) => element("strong", {}, ...inline(text, depth + 1))],
  ["__(?=\\S)(.{1,4000}?\\S)__(?!\\w)", ([, text], depth) => element("strong", {}, ...inline(text, depth + 1))],
  ["\\*(?=[^\\s*])([^*]{0,4000}[^\\s*])\\*", ([, text], depth) => element("em", {}, ...inline(text, depth + 1))],
  ["(?<!\\w)_(?=[^\\s_])([^_]{0,4000}[^\\s_])_(?!\\w)", ([, text], depth) => element("em", {}, ...inline(text, depth + 1))],
  ["~~(?=\\S)(.{1,4000}?\\S)~~", ([, text], depth) => element("del", {}, ...inline(text, depth + 1))],
].map(([source, make]) => [new RegExp(source, "y"), make]);
const SIGNS = /[\\`!\[h*_~]/g;

/** The nodes of a line: at each sign that may begin something, the first pattern that fits. */
function inline(text, depth) {
  if (depth > DEEPEST) return [text];
  const made = [];
  let plain = 0;
  SIGNS.lastIndex = 0;
  for (let sign; (sign = SIGNS.exec(text)); ) {
    const at = sign.index;
    for (const [pattern, make] of SPANS) {
      pattern.lastIndex = at;
      const found = pattern.exec(text);
      if (!found) continue;
      if (plain < at) made.push(text.slice(plain, at));
      plain = at + found[0].length;
      made.push(make(found, depth));
      break;
    }
    SIGNS.lastIndex = Math.max(plain, at + 1);
  }
  if (plain < text.length) made.push(text.slice(plain));
  return made;
}

/** A link, or null for an address that is more than an address. */
function link(address, content) {
  if (!/^(https?:\/\/|mailto:)/i.test(address)) return null;
  return element("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, ...content);
}
