// Tells clock times in the person's own zone. The form works without it: the page has them in UTC.
for (const time of document.querySelectorAll('time[data-clock]')) {
  const at = new Date(time.dateTime);
  if (Number.isNaN(at.getTime())) continue;
  const parts = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
  if (time.dataset.clock === 'seconds') parts.second = '2-digit';
  time.textContent = new Intl.DateTimeFormat(`${document.documentElement.lang}-u-nu-latn`, parts).format(at);
}
