/** What the site has: which files of the project become pages, in which order, and what every page lists. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { listNotebooks } from "../notebooks/notebooks.mjs";
import { ROOT } from "../setup/paths.mjs";

export interface SitePage {
  readonly title: string;
  /** Path in the project; none for the search. */
  readonly source?: string;
  /** Path in the site. */
  readonly target: string;
  readonly front?: boolean;
  readonly search?: boolean;
}
export interface Part {
  readonly title: string;
  readonly pages: readonly SitePage[];
}

const DOCUMENTS = [
  "environment.md",
  "docs/lesson-plan.md",
  "docs/lessons.md",
  "docs/tasks.md",
  "docs/models.md",
  "docs/performance.md",
  "docs/sweeps.md",
  "docs/page.md",
  "docs/site.md",
  "docs/architecture.md",
  "data/README.md",
  "data/embedded/README.md",
  "data/paper/README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "CHANGELOG.md",
];

/** A page's parts, in the order in which they are listed. */
export function contents(): Part[] {
  const [primer, ...lessons] = notebooks("lessons");
  return [
    { title: "Begin", pages: [front(), primer, pageOf("docs/glossary.md")] },
    { title: "Notebooks", pages: notebooks("notebooks") },
    { title: "Lessons", pages: lessons },
    { title: "Documents", pages: DOCUMENTS.map(pageOf) },
  ];
}

export const SEARCH: SitePage = { title: "Search", target: "search.html", search: true };

const notebooks = (folder: string) =>
  listNotebooks(join(ROOT, folder)).map((name) => pageOf(`${folder}/${name}.ipynb`));
const front = () => ({ ...pageOf("README.md"), title: "Acronym circuit", front: true });

function pageOf(source: string): SitePage {
  const target = source.replace(/README\.md$/, "index.html").replace(/\.(md|ipynb)$/, ".html");
  const text = readFileSync(join(ROOT, source), "utf8");
  const markdown = source.endsWith(".md") ? text : [JSON.parse(text).cells[0].source].flat().join("");
  const title = /^# (.+)$/m.exec(markdown)?.[1];
  if (!title) throw new Error(`${source} has no title`);
  return { title, source, target };
}
