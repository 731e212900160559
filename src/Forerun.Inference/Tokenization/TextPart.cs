namespace Forerun.Inference.Tokenization;

/// <summary>A piece of a text that is encoded as a whole.</summary>
/// <param name="Text">The piece.</param>
/// <param name="IsContent">Whether it was written by somebody else than the program, so that a control token in it is
/// no token but its letters.</param>
internal readonly record struct TextPart(string Text, bool IsContent);
