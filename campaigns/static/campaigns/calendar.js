// Dragging a campaign to another day fills in and sends the form that its "Move" shows, so that
// dragging can do nothing the form cannot, and is refused in the same words.
const sheet = document.querySelector('.cal-sheet[data-move="yes"]')
let dragged = null

function dayUnder(event) {
  return dragged && event.target.closest('[data-day]')
}

function mark(day) {
  for (const each of sheet.querySelectorAll('.cal-over')) {
    if (each !== day) each.classList.remove('cal-over')
  }
  day?.classList.add('cal-over')
}

sheet?.addEventListener('dragstart', (event) => {
  dragged = event.target.closest('[data-campaign]')
  if (!dragged) return
  event.dataTransfer.effectAllowed = 'move'
  event.dataTransfer.setData('text/plain', dragged.dataset.campaign)
})

sheet?.addEventListener('dragover', (event) => {
  const day = dayUnder(event)
  if (day) event.preventDefault()
  mark(day)
})

sheet?.addEventListener('dragend', () => {
  dragged = null
  mark(null)
})

sheet?.addEventListener('drop', (event) => {
  const day = dayUnder(event)
  if (!day) return
  event.preventDefault()
  if (day.contains(dragged)) return mark(null)
  const form = dragged.querySelector('form')
  form.elements.day.value = day.dataset.day
  form.submit()
})
