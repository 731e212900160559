namespace Forerun.Inference.Drafting;

/// <summary>A drafted token, and what the drafter would have chosen instead.</summary>
/// <param name="Token">Its first choice.</param>
/// <param name="Second">Its second choice; -1 = unknown.</param>
/// <param name="Third">Its third choice; -1 = unknown.</param>
/// <param name="Margin">How far the second choice's score lies below the first's: logits at temperature 0, else logits /
/// temperature plus noise; NaN = unknown.</param>
public readonly record struct DraftedToken(int Token, int Second = -1, int Third = -1, float Margin = float.NaN);
