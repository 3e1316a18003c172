package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"

	"spindle/check"
)

// Text implements event.
func (r *verifyResult) Text(p *page) {
	r.report(p)
	r.conclude(p)
	if len(r.Unchecked) > 0 {
		p.text("Not checked: %s. Name each of them.", fileList(r.Unchecked))
	}
}

// report writes what was found.
func (r *verifyResult) report(p *page) {
	p.line("%s: %s, %s of %d bytes", r.Image, plural(len(r.Tracks), "track"), plural(r.Sectors, "sector"), r.sectorSize)
	if r.Whole != nil {
		p.sums(*r.Whole)
	}
	if r.Checked > 0 && len(r.Bad) == 0 {
		p.line("%s with error codes: all correct", plural(r.Checked, "sector"))
	}
	if len(r.Bad) > 0 {
		r.reportBad(p)
	}
	r.songsFound.report(p)
	reportFlaws(p, r.found, r.Flaws)
	for _, u := range r.found.broken {
		p.text("%s", p.red(u.text()))
	}
	for _, u := range r.Subs {
		p.text("%s", p.red(u+"."))
	}
	if len(r.Files) > 0 {
		p.line("damaged files: %s", fileList(r.Files))
	}
	r.reportOwn(p)
	for _, s := range r.Sums {
		if s.Changed {
			p.text("%s", p.red(wrongSumText(s)+"."))
			continue
		}
		of := fmt.Sprintf("%s: %s of %s is", filepath.Base(s.From), s.Algorithm, filepath.Base(s.File))
		if s.Right {
			p.line("%s correct", of)
			continue
		}
		p.line("%s %s:", of, p.red("wrong"))
		p.line("  expected %s", s.Stated)
		p.line("  computed %s", cmp.Or(s.Found, "none: it is of another length"))
	}
	switch r.Implanted {
	case implantedRight:
		p.line("implanted MD5: correct")
	case implantedWrong:
		p.line("implanted MD5: %s; the damage begins between byte %d and byte %d", p.red("wrong"), r.damage[0], r.damage[1])
	}
	r.reportAudio(p)
	if r.Log != nil {
		p.line("%s:", filepath.Base(r.Log.Log))
		r.Log.Text(p)
	}
	r.reportWith(p)
	if rep := r.Repaired; rep != nil && (rep.Sectors > 0 || !r.audioRepaired()) {
		p.line("%s: %s repaired, %s changed", r.o.repair, plural(rep.Sectors, "sector"), plural(rep.Bytes, "byte"))
		for _, b := range rep.Left {
			p.line("  still damaged: %s", b)
		}
	}
}

func (r *verifyResult) reportBad(p *page) {
	n := 0
	for _, b := range r.Bad {
		n += int(b.Last-b.First) + 1
	}
	are := "are"
	if n == 1 {
		are = "is"
	}
	p.line("%s of %d with error codes %s damaged:", p.red(plural(n, "sector")), r.Checked, are)
	for i, b := range r.Bad {
		if i == mostListed {
			p.line("  and %s more (--json lists all)", plural(len(r.Bad)-i, "range"))
			break
		}
		p.line("  %s", b)
	}
}

// reportWith says how the comparison with --with came out.
func (r *verifyResult) reportWith(p *page) {
	switch {
	case r.lookedUp && r.match.Near+r.Game == "":
		p.line("%s does not list this disc, which says nothing about the image", filepath.Base(r.o.with))
	case r.lookedUp:
		p.line("%s", painted(datText(p, r.match)))
	case r.compared && len(r.Differences) == 0 && r.cut:
		p.line("The disc holds the image (sectors %d to %d); the rest of the disc was not compared.", r.cutFrom, int(r.cutFrom)+r.Sectors-1)
	case r.compared && len(r.Differences) == 0 && r.sameDamage != "":
		p.text("%s has the same content, its damage included: %s", r.o.with, p.red(r.sameDamage))
	case r.compared && len(r.Differences) == 0:
		p.line("%s has the same content", r.o.with)
		r.reportShift(p)
	case r.compared:
		r.reportDifferences(p)
	}
}

// conclude says in a sentence how it came out.
func (r *verifyResult) conclude(p *page) {
	switch {
	case r.mended() && r.version != nil:
		p.text("This image is of another edition than the one in CTDB, or damaged. The copy %s is as in CTDB, which proves all but a third of a second at each end.", r.o.repair)
	case r.mended() && len(r.Bad) == 0:
		p.text("This image is damaged. In the copy %s the damage is repaired: CTDB proves all but a third of a second at each end.", r.o.repair)
	case r.mended():
		p.text("This image is damaged. In the copy %s the damage is repaired: all its sectors are correct.", r.o.repair)
	case r.Status != exitDone:
		p.text("%s", p.red(r.verdict()))
		if r.unproven {
			p.text("So may be the copy %s: nothing says where, and what parity does not reach is as it was.", r.o.repair)
		}
		switch {
		case r.CTDB == nil || r.CTDB.Wrong == 0 || r.Repaired != nil:
		case r.version != nil:
			p.text("--repair OUT makes the version of CTDB.")
		default:
			p.text("Repair it with --repair OUT: the parity of CTDB is enough.")
		}
		if r.Repaired != nil && r.unmended {
			p.text("Parity cannot restore all of these sectors: the map beside the copy %s lists those that remain.", r.o.repair)
		}
	case r.unprovenText() != "":
		p.text("%s", r.unprovenText())
	case r.judged && len(r.Flaws) > 0:
		p.text("Everything of it that can be checked is correct; it lacks a part of its disc.")
	case r.judged:
		p.text("Everything that can be checked is correct.")
	case len(r.proofs) > 0:
		p.text("The audio is silent: there is nothing to prove.")
	default:
		p.text("This image carries nothing to check it by: compare it with a checksum file, another image, or the disc (--with).")
	}
}

// verdict says what is wrong.
func (r *verifyResult) verdict() string {
	switch {
	case r.damaged():
		return "This image is damaged."
	case r.Log != nil && r.Log.Status != exitDone:
		return "This album is not as its log says, or not whole."
	case len(r.Broken) > 0:
		return "This image may be damaged."
	case r.version != nil:
		return "This image is of another edition than the one in CTDB, or damaged: it differs in " + versionText(r.version) + "."
	case r.onlyUnread():
		return "Part of " + r.o.with + " cannot be read; all the rest is the same as in this image."
	}
	return "This image and " + r.o.with + " differ."
}

// damaged reports whether something is wrong with the image itself.
func (r *verifyResult) damaged() bool {
	switch {
	case r.sameDamage != "" && len(r.Differences) == 0, len(r.Bad)+len(r.DamagedSongs)+len(r.Subs) > 0, len(r.Flaws) > 0 && !r.onlyAbsent(),
		r.Implanted == implantedWrong, r.CTDB != nil && r.CTDB.Wrong > 0 && r.version == nil:
		return true
	}
	return slices.ContainsFunc(r.Sums, func(s check.SumResult) bool { return !s.Right }) ||
		slices.ContainsFunc(r.Own, func(s ownSum) bool { return !s.Right })
}

// onlyAbsent reports whether the image lacks sectors that no file of it has, and all others are right.
func (r *verifyResult) onlyAbsent() bool { return r.found.absent.Sectors() == sectorsOf(r.Flaws) }
