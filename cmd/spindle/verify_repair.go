package main

import (
	"context"

	"spindle/check"
	"spindle/disc"
	"spindle/image"
)

// repair writes the corrected copy.
func (v *verification) repair(ctx context.Context) error {
	out := v.o.repair
	if out == "" {
		return nil
	}
	if v.img.Layout().Medium != disc.CD {
		return usage("--repair is for images of CDs: only their sectors have parity")
	}
	whole := check.NewRepairer(v.img)
	res, err := image.Create(ctx, out, whole, image.CreateOptions{
		Lossy: v.o.lossy, Force: v.o.force, NoCheck: true, Progress: v.bar.step("repairing"),
	})
	if err != nil {
		return err
	}
	v.bar.stop()
	noteLost(v.a, out, res.Lost)
	v.Repaired, v.unmended = whole.Result(), len(res.Flaws) > 0
	if len(v.Bad) == 0 || !codesEverywhere(v.img, v.rep) { // else a wrong checksum is explained
		v.found.takeSums(v.Sums)
	}
	v.unproven = v.found.doubtful()
	return v.found.passOn(out, res.Files)
}

// mended reports whether the copy of --repair has none of the damage.
func (r *verifyResult) mended() bool {
	return r.Repaired != nil && !r.unmended && !r.unproven && len(r.Repaired.Left) == 0 && len(r.Bad) > 0
}
