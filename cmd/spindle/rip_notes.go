package main

import (
	"fmt"
	"strings"

	"spindle/drive"
	"spindle/rip"
)

// ripNotes are the sentences of the notes of a rip.
var ripNotes = map[rip.NoteCode]func(n rip.Note) string{
	rip.NoteUnclosed: func(rip.Note) string {
		return "The session on this disc was never closed, so its contents cannot be read."
	},
	rip.NoteWrongKind: func(n rip.Note) string {
		claimed, found := "data", "audio"
		if n.Coding == drive.Data {
			claimed, found = found, claimed
		}
		return fmt.Sprintf("The table of contents says that track %d is %s, but its sectors are %s.", n.Track, claimed, found)
	},
	rip.NoteModeUnread: func(n rip.Note) string {
		return fmt.Sprintf("The first sectors of track %d cannot be read; it is assumed to be %s.", n.Track, n.Mode)
	},
	rip.NoteBadCDText: func(n rip.Note) string {
		return fmt.Sprintf("The disc has CD-TEXT that cannot be read: %v.", n.Err)
	},
	rip.NoteDamagedCDText: func(n rip.Note) string {
		return fmt.Sprintf("%d of %d packs of CD-TEXT are damaged and left out.", n.Count, n.Total)
	},
	rip.NoteNoSubchannel: func(rip.Note) string {
		return "This drive does not return the sub-channel: pregaps, indexes and ISRCs cannot be found."
	},
	rip.NoteUnreadSub: func(n rip.Note) string {
		return fmt.Sprintf("The sub-channel of track %d cannot be read; its indexes, and the pregap of the next track, "+
			"may be missing.", n.Track)
	},
	rip.NoteSubMoved: func(n rip.Note) string {
		edge, count := "first", n.Count
		if count < 0 {
			edge, count = "last", -count
		}
		return fmt.Sprintf("This drive returns the sub-channel of another sector, %d away: it was put in its place, and the %s %d sectors have none.",
			count, edge, count)
	},
	rip.NoteUncheckedSub: func(rip.Note) string {
		return "This drive does not return the sub-channel with its checksums: the ISRCs and the catalogue number are those that " +
			"the drive itself finds, and some may be missing."
	},
	rip.NoteNoC2: func(rip.Note) string {
		return "This drive does not report errors in audio (C2): only comparing two readings finds them."
	},
	rip.NoteNoC2WithSub: func(rip.Note) string {
		return "This drive cannot report errors in audio (C2) together with the sub-channel: " +
			"only comparing two readings finds them."
	},
	rip.NoteC2Dropped: func(rip.Note) string {
		return "The errors that this drive reports in audio (C2) are wrong, and no longer looked at."
	},
	rip.NoteDisplaced: func(rip.Note) string {
		return "This drive begins to read audio some samples early or late (it has no accurate stream): none of the audio " +
			"is sure to be right. Rip audio with another drive."
	},
	rip.NoteRunOut: func(rip.Note) string {
		return "The disc was written track at once: the two run-out blocks after its data are not part of the image."
	},
	rip.NoteMaybeRunOut: func(n rip.Note) string {
		return fmt.Sprintf("The last two sectors of track %d cannot be read. On a disc written track at once they hold no data; "+
			"nothing says whether they are that or damage.", n.Track)
	},
	rip.NoteContentEnds: func(n rip.Note) string {
		return fmt.Sprintf("The content of this disc ends at sector %d of %d: what follows it is left out (--whole rips it, too).",
			n.Count, n.Total)
	},
	rip.NoteUnwritten: func(rip.Note) string {
		return "Parts of this disc were never written: they are zeros in the image."
	},
	rip.NoteGaps: func(n rip.Note) string {
		return fmt.Sprintf("The gaps between the sessions of this disc hold no data: their %d sectors are zeros in the image.", n.Count)
	},
	rip.NoteNoVolume: func(n rip.Note) string {
		return fmt.Sprintf("No file system was found on the disc: the image has all %d sectors that %s states.",
			n.Total, sizeSources[n.Source])
	},
	rip.NoteVolumeLarger: func(n rip.Note) string {
		return fmt.Sprintf("The file system on the disc says that it has %d sectors, %s says %d. All %d are ripped; "+
			"if the last ones cannot be read, the image this disc was made from was cut short.",
			n.Count, sizeSources[n.Source], n.Total, n.Count)
	},
	rip.NoteVolumeSmaller: func(n rip.Note) string {
		return fmt.Sprintf("The file system ends at sector %d, and %s says that there are %d: all of them are ripped.",
			n.Count, sizeSources[n.Source], n.Total)
	},
	rip.NoteProtected: func(n rip.Note) string {
		return fmt.Sprintf("This disc is protected by %s. spindle does not decrypt it: the image will hold the sectors as the "+
			"drive returns them, and the drive may refuse.", n.Protection)
	},
	rip.NoteRefused: func(rip.Note) string {
		return "The drive does not return copy-protected sectors of this disc. They are filled in the image; all others are read."
	},
	rip.NoteShifted: func(n rip.Note) string {
		return fmt.Sprintf("This drive reads audio %s than the one that the rip was begun with. That is corrected: all audio stands "+
			"where the first drive put it.", laterWords(int(n.Count)))
	},
	rip.NoteOffsetStart: func(n rip.Note) string { return offsetNote(n, "start") },
	rip.NoteOffsetEnd:   func(n rip.Note) string { return offsetNote(n, "end") },
	rip.NoteCutShort: func(n rip.Note) string {
		return fmt.Sprintf("The files of the image end early: %s that the map lists as read are read again.", plural(int(n.Count), "sector"))
	},
	rip.NoteSpeedForbidden: func(rip.Note) string {
		return "The speed cannot be set without write permission on the drive."
	},
	rip.NoteGaveUp: func(n rip.Note) string {
		return fmt.Sprintf("No more sectors could be read for %s: retrying ends here.", n.After)
	},
	rip.NoteTimeUp: func(n rip.Note) string {
		return fmt.Sprintf("The time for this rip (%s) is up: what is left is not tried again.", n.After)
	},
	rip.NoteFinishing: func(rip.Note) string {
		return "Interrupted: what is left is not tried again."
	},
	rip.NoteManyErrors: func(n rip.Note) string {
		return fmt.Sprintf("%s turned out unreadable: what is left is not tried again.", plural(int(n.Count), "sector"))
	},
	rip.NoteHopeless: func(n rip.Note) string {
		return fmt.Sprintf("%s, spread over a long stretch of damage, gave nothing: the rest of it is not tried in this pass.",
			plural(int(n.Count), "sector"))
	},
	rip.NoteFirst: func(n rip.Note) string {
		if n.Count == 0 {
			return "No file on the disc matches --first."
		}
		return fmt.Sprintf("%s %s read first.", plural(int(n.Count), "file"), isOrAre(int(n.Count)))
	},
	rip.NoteNoFiles: func(rip.Note) string {
		return "No file system can be read that says where the files of --first are: the disc is read from its beginning."
	},
	rip.NoteFilesHit: func(n rip.Note) string {
		return fmt.Sprintf("Not read so far: %s.", sharesText(n.Files))
	},
	rip.NoteSheetUnread: func(n rip.Note) string {
		return fmt.Sprintf("%s is of an earlier run, and cannot be read to see whether it was changed since (%s): it was left as it is.", n.Path, fileWords(n.Err))
	},
	rip.NoteChangedQ: func(n rip.Note) string {
		return fmt.Sprintf("%s is there already: the image is opened with it. If it is of another disc, remove it.", n.Path)
	},
	rip.NoteSheetKept: func(n rip.Note) string {
		return fmt.Sprintf("%s was changed since the earlier run, and is kept as it is.", n.Path)
	},
	rip.NoteRebuilt: func(rip.Note) string {
		return "The drive returned data sectors without their error correction codes; they were recomputed."
	},
}

var sizeSources = map[rip.SizeSource]string{rip.FromDrive: "the drive", rip.FromTOC: "the disc's table of contents"}

func offsetNote(n rip.Note, side string) string {
	return fmt.Sprintf("With the offset correction, %d samples at the %s of the audio lie outside what can be read; "+
		"they are silence in the image.", n.Count, side)
}

// laterWords says by how many samples audio comes later, or earlier.
func laterWords(samples int) string {
	if samples < 0 {
		return plural(-samples, "sample") + " earlier"
	}
	return plural(samples, "sample") + " later"
}

// ripNote gives the sentence of a note.
func ripNote(n rip.Note) string {
	if sentence, ok := ripNotes[n.Code]; ok {
		return sentence(n)
	}
	return string(n.Code)
}

// begunWords says with which other options a rip was begun.
func begunWords(e *rip.OtherOptionsError) string {
	var all []string
	flag := func(was, now bool, name string) {
		switch {
		case was && !now:
			all = append(all, "with "+name)
		case now && !was:
			all = append(all, "without "+name)
		}
	}
	if e.Was.Format != e.Now.Format {
		all = append(all, "with --format "+string(e.Was.Format))
	}
	flag(e.Was.Split, e.Now.Split, "--split")
	flag(e.Was.Subchannel, e.Now.Subchannel, "--sub")
	if e.Was.Offset != e.Now.Offset {
		all = append(all, fmt.Sprintf("with --offset %d", e.Was.Offset))
	}
	return fmt.Sprintf("the rip was begun %s (%s)", strings.Join(all, " and "), e.Map)
}
