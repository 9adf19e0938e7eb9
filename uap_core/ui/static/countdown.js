// "about 30 s left" goes down each second until the server says anew how long it is.
setInterval(() => {
  for (const place of document.querySelectorAll("[data-seconds]")) {
    const left = Number(place.dataset.seconds) - 1;
    if (left < 1) continue;
    place.dataset.seconds = left;
    place.textContent = place.dataset.words.replace("{seconds}", left);
  }
}, 1000);
