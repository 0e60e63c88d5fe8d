// Stands for a slow database that all servers ask: a file of prices.
import { readFile, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

const file = process.env.PRICES_FILE;

export async function loadPrices(articles) {
  await sleep(200);
  const prices = JSON.parse(await readFile(file, "utf8"));
  return new Map(
    articles.filter((article) => Object.hasOwn(prices, article)).map((article) => [article, prices[article]]),
  );
}

export async function changePrice(article, price) {
  const prices = JSON.parse(await readFile(file, "utf8"));
  await writeFile(file, JSON.stringify({ ...prices, [article]: price }));
}
