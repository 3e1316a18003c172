package sim

import (
	"spindle/disc"
	"spindle/scsi"
)

type trayState uint8

// place puts a disc in the tray: an image, a disc that can be written, or none.
func (d *Drive) place(img disc.Image, r *Recordable, media string) {
	d.image, d.disc, d.layout, d.toc, d.media = img, r, nil, nil, profileNone
	d.mech = newMechanism(disc.CD)
	page := d.rec.page
	d.rec = recorder{page: page}
	switch {
	case r != nil:
		d.refresh()
		d.mech = newMechanism(d.media.medium())
		d.mech.full = float64(r.kind.capacity)
	case img != nil:
		d.layout = presentLayout(img, d.cfg.TrackAtOnce)
		d.toc = d.layout
		d.mech = newMechanism(d.layout.Medium)
		d.media = map[disc.Medium]profile{
			disc.CD: profileCDROM, disc.DVD: profileDVDROM, disc.BD: profileBDROM,
		}[d.layout.Medium]
		if media == "" && d.cfg.TrackAtOnce && d.layout.Medium == disc.CD {
			media = "cd-r" // no other disc is written so
		}
		if k, ok := kinds()[media]; ok {
			d.media = k.profile
			// A written disc that cannot be written any more.
			if k.class != pressed {
				d.disc = fullDisc(media, k, d.layout)
			}
		}
	}
	if d.cfg.Speed > 0 {
		d.mech.speed = float64(d.cfg.Speed)
	}
}

// fullDisc is the state of a disc that is complete, and whose image is not to be
// written to.
func fullDisc(media string, k kind, l *disc.Layout) *Recordable {
	r := &Recordable{kind: k, st: State{Media: media, Capacity: max(k.capacity, int(l.End())), Final: true}}
	if k.class == random {
		r.st.Format = FormatState{Done: true, Blocks: int(l.End()), Background: 3}
		r.st.Capacity = int(l.End())
		return r
	}
	for i := range l.Sessions {
		s := SessionState{Format: l.Sessions[i].Format, Closed: true, LeadOut: l.Sessions[i].LeadOut}
		for _, t := range l.Sessions[i].Tracks {
			s.Tracks = append(s.Tracks, TrackState{Number: t.Number, Mode: t.Mode, Control: t.Control, ISRC: t.ISRC,
				Start: t.Start, Pregap: t.Pregap, Indexes: t.Indexes, Next: t.End, End: t.End, Closed: true})
		}
		r.st.Sessions = append(r.st.Sessions, s)
	}
	return r
}

// Insert changes the disc while the drive runs: the tray opens, and closes over
// the new one. All arguments nil is an empty tray. The disc that was in it is
// given back, to be closed.
func (d *Drive) Insert(img disc.Image, r *Recordable, media string) disc.Image {
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.image
	d.open()
	d.place(img, r, media)
	d.tray = trayClosed
	d.locked = false
	if d.loaded() {
		d.insert()
	}
	return old
}

// Disc returns what is in the tray: an image, and, when it can be written, its
// recordable disc.
func (d *Drive) Disc() (disc.Image, *Recordable) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.image, d.cfg.Disc
}

// presentLayout is the layout of the disc with what the configuration changes.
func presentLayout(img disc.Image, trackAtOnce bool) *disc.Layout {
	l := *img.Layout()
	if !trackAtOnce {
		return &l
	}
	l.Sessions = append([]disc.Session(nil), l.Sessions...)
	last := &l.Sessions[len(l.Sessions)-1]
	last.Tracks = append([]disc.Track(nil), last.Tracks...)
	if t := &last.Tracks[len(last.Tracks)-1]; t.Mode.IsData() {
		t.End += runOut
		last.LeadOut = t.End
	}
	return &l
}

// runOut is the number of unreadable blocks that end a data track written at
// once (MMC-6 4.2.3.9.1).
const runOut = 2

// loaded reports whether there is a disc that the drive can reach.
func (d *Drive) loaded() bool {
	return (d.image != nil || d.disc != nil) && d.tray == trayClosed
}

// insert is what the drive does when a disc has come: it spins up and tells.
func (d *Drive) insert() {
	d.attention = append(d.attention, scsi.Sense{Key: scsi.UnitAttention, ASC: scsi.ASCMediumMayHaveChanged})
	d.readyAt = d.clock.elapsed() + spinUpTime
	d.event = 2
	d.mech.lose()
}

// open opens the tray, as the button or a command does.
func (d *Drive) open() {
	d.abandon(scsi.Sense{Key: scsi.NotReady, ASC: scsi.ASCMediumNotPresent, ASCQ: scsi.ASCQTrayOpen})
	d.tray = trayOpen
	d.event = 3
	d.mech.lose()
}

func (d *Drive) startStop(c *scsi.Command) (int, error) {
	switch c.CDB[4] & 3 {
	case 0: // stop
		d.mech.lose()
	case 1: // start
		if !d.loaded() {
			return 0, d.ready()
		}
	case 2: // eject
		if d.locked {
			return 0, fail(scsi.IllegalRequest, scsi.ASCLoadOrEjectFailed, scsi.ASCQRemovalPrevented)
		}
		if d.loaded() {
			if err := d.finishOperation(); err != nil {
				return 0, err
			}
			d.drain()
			d.clock.advance(d.flush())
		}
		d.clock.advance(loadTime)
		d.open()
	case 3: // load
		if d.tray == trayClosed {
			return 0, nil
		}
		d.clock.advance(loadTime)
		d.tray = trayClosed
		if d.loaded() {
			d.insert()
		}
	}
	return 0, nil
}
