package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"spindle/check"
	"spindle/disc"
	"spindle/disc/ctdb"
	"spindle/image"
)

// audioRepaired reports whether the copy of --repair was read again, and is what CTDB states.
func (r *verifyResult) audioRepaired() bool { return r.CTDB != nil && r.CTDB.Repaired }

// repair writes the corrected copy.
func (v *verification) repair(ctx context.Context) error {
	out := v.o.repair
	if out == "" {
		return nil
	}
	if v.img.Layout().Medium != disc.CD {
		return usage("--repair is for images of CDs: only their sectors have parity")
	}
	if v.beyond != nil {
		return fmt.Errorf("%w; nothing was written", v.beyond)
	}
	if v.patch != nil && strings.EqualFold(filepath.Ext(out), ".iso") {
		return usage("an .iso holds no audio, and the damage that --repair is to repair is in the audio: name a .cue")
	}
	img := v.img
	if v.patch != nil {
		img = check.NewPatched(img, v.proof, v.patch)
	}
	if v.patch == nil && (len(v.Bad) == 0 || !codesEverywhere(v.img, v.rep)) { // else a wrong checksum is explained
		v.found.takeSums(v.Sums)
	}
	whole := check.NewRepairer(img)
	res, err := image.Create(ctx, out, whole, image.CreateOptions{
		Lossy: v.o.lossy, Force: v.o.force, NoCheck: true, Doubts: v.found.doubts, Unchanged: v.found.unchanged, LostSub: v.found.lostSub(), Progress: v.bar.step("repairing"),
	})
	if err != nil {
		return err
	}
	v.bar.stop()
	noteLost(v.a, out, res.Lost)
	v.Repaired, v.unmended = whole.Result(), len(res.Flaws) > 0
	v.unproven = v.found.doubts() != "" || res.LostSub
	if v.patch == nil {
		return nil
	}
	return v.readRepaired(ctx, out)
}

// mended reports whether the copy of --repair has none of the damage.
func (r *verifyResult) mended() bool {
	return r.Repaired != nil && !r.unmended && !r.unproven && len(r.Repaired.Left) == 0 && (len(r.Bad) > 0 || r.audioRepaired())
}

// readRepaired reads the copy again: it has to be what CTDB states.
func (v *verification) readRepaired(ctx context.Context, out string) error {
	img, _, err := openImage(ctx, v.a, out)
	if err != nil {
		return err
	}
	defer img.Close()
	proof := check.NewProof(img.Layout())
	if _, err := check.Sectors(ctx, img, check.Options{NoHashes: true, Proof: proof, Progress: v.bar.step("checking the copy")}); err != nil {
		return err
	}
	v.bar.stop()
	if proof != nil && proof.CTDB != nil {
		matches, err := proof.CTDB.Judge(ctx, v.entries, v.ids.CTDB)
		if err != nil {
			return err
		}
		v.CTDB.Repaired = slices.ContainsFunc(trusted(matches), func(m ctdb.Match) bool { return m.Same })
	}
	if !v.CTDB.Repaired {
		return fmt.Errorf("%s is not what CTDB states: do not use it", out)
	}
	return nil
}
