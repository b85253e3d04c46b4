// Runs a client's cases and prints what came of each, one JSON document a line.
export const url = process.env.SERAI_URL;
export const key = process.env.SERAI_KEY;
export const picture =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

export async function report(cases) {
  for (const [name, work] of Object.entries(cases)) {
    try {
      console.log(JSON.stringify({ case: name, value: await work() }));
    } catch (error) {
      console.log(JSON.stringify({ case: name, error: String(error?.stack ?? error) }));
    }
  }
}

export async function refused(work) {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was refused");
}
