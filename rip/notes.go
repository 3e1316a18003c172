package rip

import (
	"time"

	"spindle/disc"
	"spindle/drive"
	"spindle/iso"
)

// A NoteCode says what a [Note] is about.
type NoteCode string

// The codes, with the fields of the note that each one sets.
const (
	NoteUnclosed       NoteCode = "unclosed"          // the session was never closed: there is nothing to read
	NoteWrongKind      NoteCode = "wrong-kind"        // Track, Coding: its sectors are of this kind, the TOC says the other
	NoteModeUnread     NoteCode = "mode-unread"       // Track, Mode: taken for this, since its first sectors cannot be read
	NoteBadCDText      NoteCode = "bad-cd-text"       // Err
	NoteDamagedCDText  NoteCode = "damaged-cd-text"   // Count of Total packs are left out
	NoteNoSubchannel   NoteCode = "no-subchannel"     // pregaps, indexes and ISRCs cannot be found
	NoteUnreadSub      NoteCode = "unread-subchannel" // Track: its indexes, and the pregap after it, may be missing
	NoteUncheckedSub   NoteCode = "unchecked-sub"     // no raw sub-channel with a checksum: ISRCs and the catalogue number are the drive's word
	NoteSubMoved       NoteCode = "sub-moved"         // the sub-channel runs Count sectors ahead (behind: less than 0): it is put in its place
	NoteNoC2           NoteCode = "no-c2"             // no error pointers: only comparing two readings finds errors in audio
	NoteNoC2WithSub    NoteCode = "no-c2-with-sub"    // none together with the sub-channel: as above
	NoteC2Dropped      NoteCode = "c2-dropped"        // error pointers proved wrong in the middle: as above
	NoteDisplaced      NoteCode = "displaced"         // audio comes some samples off (no accurate stream), and none of it is known to be right
	NoteRunOut         NoteCode = "run-out"           // the run-out blocks of a track at once are left out
	NoteMaybeRunOut    NoteCode = "maybe-run-out"     // Track: its last two sectors cannot be read, and may be run-out blocks
	NoteContentEnds    NoteCode = "content-ends"      // Count of Total sectors of an overwritable disc hold its content
	NoteUnwritten      NoteCode = "unwritten"         // parts of the disc were never written: zeros in the image
	NoteGaps           NoteCode = "gaps"              // Count sectors between the sessions hold no data, and are zeros in the image
	NoteNoVolume       NoteCode = "no-volume"         // Source states Total sectors
	NoteVolumeLarger   NoteCode = "volume-larger"     // Count sectors; Source states Total
	NoteVolumeSmaller  NoteCode = "volume-smaller"    // Count sectors; Source states Total
	NoteProtected      NoteCode = "protected"         // Protection
	NoteRefused        NoteCode = "refused"           // Protection, Err: the drive does not give protected sectors; the others are read
	NoteOffsetStart    NoteCode = "offset-start"      // Count samples at the start are silence
	NoteOffsetEnd      NoteCode = "offset-end"        // Count samples at the end are silence
	NoteShifted        NoteCode = "shifted"           // this drive gives audio Count samples later than the one before (earlier: less than 0): it is corrected
	NoteCutShort       NoteCode = "cut-short"         // Count sectors of an earlier run are not in its files: they are read again
	NoteSpeedForbidden NoteCode = "speed-forbidden"   // the speed cannot be set without write permission
	NoteGaveUp         NoteCode = "gave-up"           // After that long without a success
	NoteTimeUp         NoteCode = "time-up"           // After this long: work on what is left ends
	NoteFinishing      NoteCode = "finishing"         // [Options.Finish] was closed: work on what is left ends
	NoteManyErrors     NoteCode = "many-errors"       // Count sectors turned out unreadable: work on what is left ends
	NoteHopeless       NoteCode = "hopeless"          // Count sectors of a long damage gave nothing: the others are not tried in that pass
	NoteFirst          NoteCode = "first"             // Count files are read before the rest
	NoteNoFiles        NoteCode = "no-files"          // no file system can be read that says where the files are which come first
	NoteFilesHit       NoteCode = "files-hit"         // Files: damaged so far, before longer work on damage begins
	NoteRebuilt        NoteCode = "rebuilt"           // data came without error correction codes
	NoteSheetUnread    NoteCode = "sheet-unread"      // Path, Err: the same, and what it says is not known
	NoteChangedQ       NoteCode = "changed-q"         // Path: a file that was there, which says what is special about the Q sub-channel: the image is opened with it
	NoteSheetKept      NoteCode = "sheet-kept"        // Path: a file that an earlier run wrote and somebody has edited, and that stays
)

// A Note is something the user should know. Which fields count beside Code is
// said at its constant.
type Note struct {
	Code         NoteCode
	Track        int
	Coding       drive.Coding
	Mode         disc.Mode
	Count, Total int64
	Source       SizeSource
	Protection   drive.Protection
	After        time.Duration
	Files        []iso.DamagedFile
	Path         string
	Err          error
}

// SizeSource is who states the size of a disc.
type SizeSource uint8

// The sources.
const (
	FromDrive SizeSource = iota
	FromTOC
)
