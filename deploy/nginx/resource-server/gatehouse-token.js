// Asks Gatehouse what a token is worth now (RFC 7662). For njs 0.7 or later; see api.conf.
async function ask(r) {
  const match = /^Bearer ([A-Za-z0-9._~+/-]+=*)$/i.exec(r.headersIn.Authorization || '');
  if (match === null) return r.return(401);
  const answer = await ngx.fetch(r.variables.introspection_url, {
    method: 'POST',
    headers: {
      Authorization: `Basic ${r.variables.introspection_basic}`,
      'Content-Type': 'application/x-www-form-urlencoded',
    },
    body: `token=${encodeURIComponent(match[1])}`,
  });
  // Neither yes nor no: nobody is let in, and nobody is told that the token is bad.
  if (answer.status !== 200) return r.return(500);
  const text = await answer.text();
  const told = JSON.parse(text);
  if (told.active !== true || told.cnf !== undefined) return r.return(401);
  r.headersOut['X-Subject'] = told.sub;
  return r.return(204);
}

export default { ask };
