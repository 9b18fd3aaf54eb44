// The page: sign in at Supabase auth, read the audit events of one's tenant through this page's own origin.
const settings = __PUBLIC_VARIABLES__;
const state = document.querySelector("#state");
document.querySelector("#environment").textContent = settings.NEXT_PUBLIC_ENVIRONMENT;

async function answer(response) {
  if (!response.ok) throw new Error(`${new URL(response.url).pathname} answered ${response.status}`);
  return response.json();
}

async function signIn(email, password) {
  const url = `${settings.NEXT_PUBLIC_SUPABASE_URL}/auth/v1/token?grant_type=password`;
  const headers = { apikey: settings.NEXT_PUBLIC_SUPABASE_ANON_KEY, "Content-Type": "application/json" };
  const grant = await answer(await fetch(url, { method: "POST", headers, body: JSON.stringify({ email, password }) }));
  return grant.access_token;
}

function row(event) {
  const line = document.createElement("tr");
  const cells = [event.timestamp, event.event_type, `${event.entity_type} ${event.entity_id ?? ""}`, event.severity];
  for (const text of [...cells, (event.hash ?? "").slice(0, 12)]) {
    line.appendChild(document.createElement("td")).textContent = text;
  }
  return line;
}

document.querySelector("#sign-in").addEventListener("submit", async (submitted) => {
  submitted.preventDefault();
  const form = new FormData(submitted.target);
  try {
    state.textContent = "Signing in…";
    const token = await signIn(form.get("email"), form.get("password"));
    const headers = { Authorization: `Bearer ${token}` };
    const { events, total } = await answer(await fetch("/api/audit/events", { headers }));
    document.querySelector("#events").replaceChildren(...events.map(row));
    document.querySelector("table").hidden = false;
    state.textContent = `${events.length} of ${total} events.`;
  } catch (error) {
    state.textContent = `That did not work: ${error.message}`;
  }
});
